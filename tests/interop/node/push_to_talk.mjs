// node push_to_talk.mjs FILE: says when the user begins and ends, and shows a picture meanwhile.

import { readFileSync } from 'node:fs';

import { AUDIO, AUDIO_MODEL, connect, play, tell, transcript } from './live.mjs';

const live = await connect({
  model: AUDIO_MODEL,
  config: { ...AUDIO, realtimeInputConfig: { automaticActivityDetection: { disabled: true } } },
});
live.session.sendRealtimeInput({ activityStart: {} });
play(live.session, readFileSync(process.argv[2]));
live.session.sendRealtimeInput({ video: { data: '/9g=', mimeType: 'image/jpeg' } });
live.session.sendRealtimeInput({ activityEnd: {} });
const turn = await live.turn();
await live.close();
tell({ words: transcript(turn, 'output') });
