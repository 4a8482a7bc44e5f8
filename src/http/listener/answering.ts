import type { ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'

/** The responses of each connection that are not over, oldest first. An idle connection keeps none in memory. */
const open = new WeakMap<Duplex, ServerResponse[]>()

/** Follows a response until it is over. Asking twice changes nothing. */
export function follow(response: ServerResponse): void {
  const { socket } = response.req
  const responses = open.get(socket)
  if (responses?.includes(response)) return
  if (responses) responses.push(response)
  else open.set(socket, [response])
  // One function for all: this is done for every request.
  response.on('close', isOver)
}

/** The responses that are followed on a connection, oldest first. */
export function answering(socket: Duplex): readonly ServerResponse[] {
  return open.get(socket) ?? []
}

function isOver(this: ServerResponse): void {
  const { socket } = this.req
  const responses = open.get(socket)
  if (!responses) return
  if (responses.length === 1) open.delete(socket)
  else responses.splice(responses.indexOf(this), 1)
}
