// Text as realtime input, new instructions in mid-session, and the list of models.

import { connect, isCall, makeClient, tell, transcript } from './live.mjs';

const client = makeClient();
const names = [];
for await (const model of await client.models.list({ config: { pageSize: 5 } })) {
  names.push(model.name);
}
const model = names.find((name) => name.endsWith('gemini-3.8-live'));
const live = await connect({ client, model, config: { responseModalities: ['AUDIO'], outputAudioTranscription: {} } });
live.session.sendRealtimeInput({ text: 'Hello' });
const turn = await live.turn();
live.session.sendContextUpdate({
  systemInstruction: 'Be brief.',
  tools: { tools: [{ functionDeclarations: [{ name: 'f' }] }] },
});
live.session.sendRealtimeInput({ text: 'f, please' });
const calls = await live.until(isCall);
await live.close();
tell({ names, words: transcript(turn, 'output'), called: calls.at(-1).toolCall.functionCalls[0].name });
