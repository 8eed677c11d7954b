// What the scripts share: a client for the simulator that the environment names, and a session to read from in order.

import { GoogleGenAI } from '@google/genai';

const { BASE_URL, API_KEY, ACCESS_TOKEN } = process.env;

export const VERTEX = process.env.BACKEND === 'vertex';
export const TEXT_MODEL = 'gemini-live-2.5-flash-preview';
export const AUDIO_MODEL = 'gemini-2.5-flash-native-audio-latest';
export const TEXT = { responseModalities: ['TEXT'] };
export const AUDIO = {
  responseModalities: ['AUDIO'],
  inputAudioTranscription: {},
  outputAudioTranscription: {},
};
const CHUNK_BYTES = 1280;

export function makeClient({ apiKey = API_KEY, ...httpOptions } = {}) {
  if (VERTEX) {
    const headers = new Headers({ authorization: `Bearer ${ACCESS_TOKEN}` });
    return new GoogleGenAI({
      vertexai: true,
      project: 'simulated-project',
      location: 'us-central1',
      googleAuthOptions: { authClient: { getRequestHeaders: async () => headers } },
      httpOptions: { baseUrl: BASE_URL, ...httpOptions },
    });
  }
  return new GoogleGenAI({ apiKey, httpOptions: { baseUrl: BASE_URL, ...httpOptions } });
}

// Opens a session; the SDK hands messages to a callback, here they wait until somebody asks for them.
export async function connect({ client = makeClient(), model = TEXT_MODEL, config = TEXT } = {}) {
  const waiting = [];
  let arrived = () => {};
  let end;
  let closed;
  const ended = new Promise((resolve) => { closed = resolve; });
  const session = await client.live.connect({
    model,
    config,
    callbacks: {
      onmessage: (message) => { waiting.push(message); arrived(); },
      onclose: ({ code, reason }) => {
        end = { code, reason: String(reason) };
        closed(end);
        arrived();
      },
    },
  });

  async function next() {
    while (waiting.length === 0) {
      if (end) {
        throw new Error(`closed while a message was expected: ${end.code} ${end.reason}`);
      }
      await new Promise((resolve) => { arrived = resolve; });
    }
    return waiting.shift();
  }

  // Everything up to and with the first message that the predicate accepts.
  async function until(predicate) {
    const messages = [];
    do {
      messages.push(await next());
    } while (!predicate(messages.at(-1)));
    return messages;
  }

  const turn = () => until((message) => message.serverContent?.turnComplete);

  async function ask(text) {
    session.sendClientContent({ turns: text });
    return turn();
  }

  async function close() {
    session.close();
    return ended;
  }

  return { session, until, turn, ask, close, ended };
}

export function play(session, pcm) {
  for (let start = 0; start < pcm.length; start += CHUNK_BYTES) {
    const data = pcm.subarray(start, start + CHUNK_BYTES).toString('base64');
    session.sendRealtimeInput({ audio: { data, mimeType: 'audio/pcm;rate=16000' } });
  }
}

const parts = (messages) => messages.flatMap((message) => message.serverContent?.modelTurn?.parts ?? []);

export const said = (messages) => parts(messages).map((part) => part.text ?? '').join('');

export const sound = (messages) =>
  Buffer.concat(parts(messages).map((part) => Buffer.from(part.inlineData?.data ?? '', 'base64'))).toString('base64');

export const transcript = (messages, direction) =>
  messages.map((message) => message.serverContent?.[`${direction}Transcription`]?.text ?? '').join('');

export const flags = (messages) =>
  messages.flatMap(({ serverContent }) =>
    ['interrupted', 'generationComplete', 'turnComplete'].filter((name) => serverContent?.[name]));

export const isCall = (message) => message.toolCall !== undefined;

// The one line that the test reads.
export const tell = (found) => console.log(JSON.stringify(found));
