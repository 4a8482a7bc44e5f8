/** Names the instance that a request is for and that an answer is from. */
export const identityHeader = 'Longhouse-Instance'

/** What the edge asks with `HEAD` on each fresh connection, before a request of a customer goes out on it. */
export const identityPath = '/.well-known/longhouse-instance'
