export { createClient, type CallOptions, type Client, type CreateClientOptions } from './client.ts';
export type { ClientOptions } from './request.ts';
export type { CallableRoute, RouteInput, RouteOutput } from './route-input.ts';
export type { EventsOptions } from './run-events.ts';
