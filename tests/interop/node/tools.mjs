import { Type } from '@google/genai';

import { TEXT, connect, isCall, said, tell } from './live.mjs';

const weather = {
  name: 'get_weather',
  description: 'Tells the weather in a city.',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};
const time = { name: 'get_time', parametersJsonSchema: { type: 'object', properties: {} } };
const live = await connect({ config: { ...TEXT, tools: [{ functionDeclarations: [weather, time] }] } });
live.session.sendClientContent({ turns: 'What is the weather and the time in Paris?' });
const { functionCalls } = (await live.until(isCall)).at(-1).toolCall;
live.session.sendToolResponse({
  functionResponses: functionCalls.map(({ id, name, args }) => ({
    id,
    name,
    response: { output: name === 'get_weather' ? `sunny in ${args.city}` : 'noon' },
  })),
});
const turn = await live.turn();
await live.close();
tell({ functionCalls, answer: said(turn) });
