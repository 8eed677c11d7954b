// Tells its name, is sent away, and comes back with the handle it was given.

import { TEXT, connect, said, tell } from './live.mjs';

const live = await connect({ config: { ...TEXT, sessionResumption: {} } });
const first = await live.ask('My name is Alice.');
const updates = await live.until((message) => message.sessionResumptionUpdate?.resumable);
const { newHandle } = updates.at(-1).sessionResumptionUpdate;
const closed = await live.ended;
const resumed = await connect({ config: { ...TEXT, sessionResumption: { handle: newHandle } } });
const second = await resumed.ask('What is my name?');
await resumed.close();
tell({
  timeLeft: first.find((message) => message.goAway).goAway.timeLeft,
  closed,
  answer: said(second),
});
