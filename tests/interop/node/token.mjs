// A token made with the key opens one session, with what it was bound to; the second one is refused.

import { TEXT, TEXT_MODEL, connect, makeClient, said, tell } from './live.mjs';

const token = await makeClient({ apiVersion: 'v1alpha' }).authTokens.create({
  config: { uses: 1, liveConnectConstraints: { model: TEXT_MODEL, config: TEXT } },
});
const client = makeClient({ apiKey: token.name, apiVersion: 'v1alpha' });
const live = await connect({ client, model: 'gemini-9', config: {} });
const turn = await live.ask('Hello');
await live.close();
const refusal = await connect({ client, model: 'gemini-9', config: {} }).catch((error) => error.message);
tell({ name: token.name, answer: said(turn), refusal });
