import type { IncomingMessage, ServerResponse } from 'node:http'

/** Most forms and calls are smaller; an upload that is larger goes on as it comes. */
const gatheredBytes = 64 * 1024

/**
 * Takes in the beginning of a body, or all of it when it is small, before the instance hears of the request: a client
 * that sends slowly costs the instance nothing. `ready` gets what has come, and is not called when the client goes, nor
 * when it has been refused meanwhile.
 */
export function gather(
  request: IncomingMessage,
  response: ServerResponse,
  ready: (first: readonly Buffer[]) => void,
): void {
  const first: Buffer[] = []
  let bytes = 0
  const onData = (chunk: Buffer) => {
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
