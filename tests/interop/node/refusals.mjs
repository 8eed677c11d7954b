import { AUDIO_MODEL, TEXT, connect, makeClient, tell } from './live.mjs';

const refusal = (options) => connect(options).then(() => 'accepted', (error) => error.message);

tell({
  model: await refusal({ model: 'gemini-9' }),
  handle: await refusal({ config: { ...TEXT, sessionResumption: { handle: 'x' } } }),
  modality: await refusal({ model: AUDIO_MODEL }),
  key: await refusal({ client: makeClient({ apiKey: 'wrong' }) }),
});
