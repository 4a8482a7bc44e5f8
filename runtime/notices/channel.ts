/** The ways by which notices leave the instance. */
export const channels = ['email', 'webhook', 'slack', 'discord'] as const
export type Channel = (typeof channels)[number]

/** What a message is: something began, stays, is over, was missed; or someone tries the channels. */
export const messageKinds = ['opened', 'reminder', 'recovered', 'missed', 'test'] as const
export type MessageKind = (typeof messageKinds)[number]
