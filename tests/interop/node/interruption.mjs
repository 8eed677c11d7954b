// node interruption.mjs QUESTION STOP: cuts in as soon as the answer can be heard.

import { readFileSync } from 'node:fs';

import { AUDIO, AUDIO_MODEL, connect, flags, play, sound, tell } from './live.mjs';

const [question, stop] = process.argv.slice(2).map((file) => readFileSync(file));
const live = await connect({ model: AUDIO_MODEL, config: AUDIO });
play(live.session, question);
const story = await live.until((message) => message.serverContent?.modelTurn);
play(live.session, stop);
story.push(...(await live.turn()));
const answer = await live.turn();
await live.close();
tell({ flags: flags(story), story: sound(story), answer: sound(answer) });
