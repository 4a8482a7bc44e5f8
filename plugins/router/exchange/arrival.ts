import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BodyLimit } from '../limits/body-limit.ts'

/** Most forms and API calls are smaller. A larger upload is streamed after this much. */
const gatheredBytes = 64 * 1024

/**
 * Buffers the start of a body, or all of it when it is small, before the request reaches the instance. So a client that
 * sends slowly costs the instance nothing. `ready` gets what has arrived; it is not called when the client has gone or
 * the request was refused. `tooLong` is called instead when the body is longer than `limit`.
 */
export function gather(
  request: IncomingMessage,
  response: ServerResponse,
  limit: BodyLimit | null,
  tooLong: () => void,
  ready: (first: readonly Buffer[]) => void,
): void {
  const first: Buffer[] = []
  let bytes = 0
  const onData = (chunk: Buffer) => {
    if (limit && !limit.takes(chunk.length)) {
      stop()
      tooLong()
      return
    }
    first.push(chunk)
    bytes += chunk.length
    if (bytes < gatheredBytes) return
    request.pause()
    finish()
  }
  const stop = () => {
    request.off('data', onData).off('end', finish)
    response.off('close', stop)
  }
  const finish = () => {
    stop()
    if (!response.headersSent) ready(first)
  }
  request.on('data', onData)
  request.on('end', finish)
  response.on('close', stop)
}
