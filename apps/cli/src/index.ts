export { type Io, type Sink } from './io.ts';
export { main } from './main.ts';
