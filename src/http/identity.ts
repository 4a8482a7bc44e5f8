/** Names the instance of a request or a response. */
export const identityHeader = 'Longhouse-Instance'

/** The path that the edge requests with `HEAD` on each fresh connection, before it sends a customer's request. */
export const identityPath = '/.well-known/longhouse-instance'

/**
 * Whether a request comes from the host itself, such as a look of the control plane. Whatever comes through a proxy, its router
 * included, says for whom.
 */
export function isFromHost(headers: Readonly<Record<string, unknown>>): boolean {
  return headers['x-forwarded-for'] === undefined
}
