export type { Channel } from './channel.ts'
export type { Message } from './schema.ts'
export type { Incident } from './watch/incidents.ts'
