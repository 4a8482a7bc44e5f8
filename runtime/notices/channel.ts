/** The channels that notices are sent through. */
export const channels = ['email', 'webhook', 'slack', 'discord'] as const
export type Channel = (typeof channels)[number]

/** The kinds of messages: a problem started, continues or is over; slots were missed; a test of the channels. */
export const messageKinds = ['opened', 'reminder', 'recovered', 'missed', 'test'] as const
export type MessageKind = (typeof messageKinds)[number]
