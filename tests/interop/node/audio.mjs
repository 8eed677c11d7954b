// node audio.mjs FILE…: plays files of 16 kHz PCM, each one turn, and tells what comes back.

import { readFileSync } from 'node:fs';

import { AUDIO, AUDIO_MODEL, connect, play, sound, tell, transcript } from './live.mjs';

const live = await connect({ model: AUDIO_MODEL, config: AUDIO });
const turns = [];
for (const file of process.argv.slice(2)) {
  play(live.session, readFileSync(file));
  const turn = await live.turn();
  turns.push({ heard: transcript(turn, 'input'), words: transcript(turn, 'output'), sound: sound(turn) });
}
await live.close();
tell({ turns });
