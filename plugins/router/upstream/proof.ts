import { identityHeader, identityPath } from '../../../src/http/identity.ts'
import type { Inlet } from './inlet.ts'

/** The first request on a fresh connection. Instances identify themselves in every answer, so any version works. */
const question = [
  `HEAD ${identityPath} HTTP/1.1`,
  'Host: localhost',
  'Connection: keep-alive',
  'User-Agent: longhouse-router',
]
  .map(line => `${line}\r\n`)
  .join('')

const mostBytes = 16 * 1024

/** Something other than the instance listens there. */
export class NotItself extends Error {}

/** The peer does not speak HTTP with keep-alive. */
class Unreadable extends Error {}

/**
 * Calls `done` once the peer of a new connection has identified itself as the instance, or why it has not. Until then, nothing of any
 * customer is sent on it, nor the instance's id. A container engine reuses freed ports, and the peer that has the port now
 * must learn neither another's request nor the right answer. After an error the connection is closed.
 */
export function prove(
  inlet: Inlet,
  instanceId: string,
  withinMs: number,
  done: (error: Error | null) => void,
): void {
  const { socket } = inlet
  let answer = ''
  const finish = (error: Error | null) => {
    inlet.take = () => undefined
    clearTimeout(timer)
    socket.off('error', finish).off('close', onClose)
    if (error) {
      // Later errors do not matter.
      socket.on('error', () => undefined)
      socket.destroy()
    }
    done(error)
  }
  inlet.take = piece => {
    answer += piece.toString('latin1')
    const end = answer.indexOf('\r\n\r\n')
    if (end >= 0) finish(faultIn(answer.slice(0, end), answer.length - end - 4, instanceId))
    else if (answer.length > mostBytes) finish(new Unreadable('its answer does not end'))
  }
  const onClose = () => finish(new Unreadable('it closed the connection before it had answered'))
  // For all of it: the socket's own timeout begins again with every byte.
  const timer = setTimeout(
    () => finish(Object.assign(new Error('it did not say who it is in time'), { code: 'ETIMEDOUT' })),
    withinMs,
  )
  socket.on('error', finish).on('close', onClose)
  socket.write(`${question}\r\n`)
}

/** Says what is wrong with the head of the answer to `HEAD`, which must have no body. */
function faultIn(head: string, left: number, instanceId: string): Error | null {
  const [status = '', ...lines] = head.split('\r\n')
  const code = /^HTTP\/1\.1 ([2-5]\d\d) /.exec(`${status} `)?.[1]
  if (code === undefined || left > 0) return new Unreadable('its answer could not be read')
  const fields = lines.map(line => [
    line.slice(0, line.indexOf(':')).toLowerCase(),
    line.slice(line.indexOf(':') + 1).trim(),
  ])
  const names = fields.filter(([name]) => name === identityHeader.toLowerCase())
  if (names.length !== 1 || names[0]?.[1] !== instanceId || code === '421') {
    return new NotItself(`did not say that it is ${instanceId}`)
  }
  const closes = fields.some(([name, value]) => name === 'connection' && /\bclose\b/i.test(value ?? ''))
  return closes ? new Unreadable('it keeps no connection') : null
}
