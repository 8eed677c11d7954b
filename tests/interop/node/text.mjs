import { TEXT, connect, flags, said, tell } from './live.mjs';

const live = await connect({ config: { ...TEXT, systemInstruction: 'Be kind.' } });
const first = await live.ask('Hello, my name is Alice.');
const second = await live.ask('What is my name?');
const closed = await live.close();
tell({
  sessionId: live.session.setupComplete.sessionId ?? null,
  answers: [said(first), said(second)],
  flags: flags(second),
  usage: second.at(-1).usageMetadata,
  closed,
});
