import type { IncomingMessage } from 'node:http'
import { randomText } from '../../../src/ids.ts'

const key = Symbol('request id')

interface Identified {
  [key]?: string
}

/** What a proxy may call a request: what stands in logs and pages without being escaped. */
const wellFormed = /^[\w.:+/=@-]{1,128}$/

/** Differs from process to process, and is drawn once: a request must not wait for random bytes. */
const prefix = `req_${randomText(10)}`
let count = 0

/** Takes the id that a trusted proxy gave a request, when it needs no escaping. A client's own is ignored. */
export function takeRequestId(request: IncomingMessage): void {
  const said = request.headers['x-request-id']
  if (typeof said === 'string' && wellFormed.test(said)) (request as Identified)[key] = said
}

/** The id of a request, the same whenever it is asked for. */
export function requestIdOf(request: IncomingMessage): string {
  const identified = request as Identified
  identified[key] ??= `${prefix}-${(++count).toString(36).padStart(6, '0')}`
  return identified[key]
}
