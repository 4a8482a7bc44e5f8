/** Names the instance of a request or a response. */
export const identityHeader = 'Longhouse-Instance'

/** The path that the edge requests with `HEAD` on each fresh connection, before it sends a customer's request. */
export const identityPath = '/.well-known/longhouse-instance'
