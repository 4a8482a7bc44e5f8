import { headTooLarge, type Problem, tooLarge } from '../../../src/http/problem.ts'
import { bytesInWords } from '../../../views/components/bytes.ts'
import type { Destination } from '../contract.ts'
import * as problems from './problems.ts'

/** Why requests cannot be passed on to where a subdomain leads now; when it is ready, those that began to arrive for another instance. */
export function unavailable(destination: Destination): Problem {
  switch (destination.state) {
    case 'stopped':
      return problems.stopped(
        why(
          destination.reason,
          'All data is kept. If you are the owner, sign in to see why the instance stopped and to start it again, or ask the operator of this site.',
        ),
        retryAfter(30),
      )
    case 'suspended':
      // Why is the owner's business alone.
      return problems.suspended(
        'All data is kept. If you are the owner, sign in to see why and what brings the instance back.',
        retryAfter(3600),
      )
    case 'unhealthy':
      return problems.unhealthy(
        why(destination.reason, 'It does not respond correctly. It is checked again every few seconds.'),
        retryAfter(10),
      )
    case 'ready':
      // Whether it is meant for the new instance, too, only its sender knows. So there is no Retry-After.
      return problems.replaced(
        'Another instance took this address while the request arrived, and nothing of it was passed on. Send it again if it is meant for the new one.',
      )
    default:
      return problems.starting('It will be ready in a moment.', retryAfter(2))
  }
}

export function unknownAddress(controlPlane: string): Problem {
  return problems.unknownAddress(
    `No instance has this address. Check the spelling. The site is at ${controlPlane}.`,
  )
}

export function routedElsewhere(): Problem {
  return problems.routedElsewhere('On this site, another proxy routes requests to instances.')
}

export function shuttingDown(): Problem {
  return problems.shuttingDown('Try again in a moment.', retryAfter(2))
}

export function controlRestarting(): Problem {
  return problems.controlRestarting('Instances keep running. Try again in a moment.', retryAfter(2))
}

export function controlUnreachable(cause: unknown): Problem {
  return problems.controlUnreachable(
    'It closed the connection before it answered. The request may still have taken effect; look before you try again.',
    { cause: cause as Error },
  )
}

export function controlTimedOut(ms: number): Problem {
  return problems.controlTimedOut(
    `There was no answer within ${ms / 1000} seconds. The request may still take effect; look before you try again.`,
  )
}

/** Closes the connection instead of reading the rest of a body that no one needs. */
export function crowded(): Problem {
  return problems.crowded(
    'The instance has reached its limit of simultaneous requests. Try again in a few seconds.',
    { headers: { 'Retry-After': '5', Connection: 'close' } },
  )
}

export function clientCrowded(): Problem {
  return problems.clientCrowded(
    'Your address has as many requests in progress at this instance as it may have. Wait until some are answered.',
    { headers: { 'Retry-After': '5', Connection: 'close' } },
  )
}

/** For a connection that is refused before anything was read from it. */
export function manyConnections(): Problem {
  return problems.manyConnections(
    'Close some of them, or use fewer connections for more requests.',
    retryAfter(5),
  )
}

/** `wait` is in seconds, here and below. */
export function clientRate(wait: number): Problem {
  return problems.clientRate('Send fewer requests a second.', retryAfter(Math.ceil(wait)))
}

export function instanceRate(wait: number): Problem {
  return problems.instanceRate(
    'It gets more requests a second than it may. Nothing was changed. Try again in a moment.',
    retryAfter(Math.ceil(wait)),
  )
}

/** Closes the connection instead of reading the rest of the body. */
export function longBody(limitBytes: number): Problem {
  return tooLarge(
    `The body of a request may have at most ${bytesInWords(limitBytes)} here. Nothing was changed.`,
    {
      headers: { Connection: 'close' },
    },
  )
}

export function longAddress(limitBytes: number): Problem {
  return problems.longAddress(
    `The path and query may have at most ${limitBytes / 1024} KiB. Send the data in the body of a POST.`,
    { headers: { Connection: 'close' } },
  )
}

/** `headers` are those that would be passed on: name, value, … */
export function longHead(limitBytes: number, headers: readonly string[]): Problem {
  const longest = Math.max(...headers.map((value, i) => (i % 2 === 0 ? 0 : value.length)))
  const name = headers[headers.findIndex((value, i) => i % 2 === 1 && value.length === longest) - 1]
  return headTooLarge(
    `Send fewer or shorter headers: ${limitBytes / 1024} KiB is the limit. The longest, ${name}, has ${bytesInWords(longest)}. In a browser, delete this site’s cookies.`,
    { headers: { Connection: 'close' } },
  )
}

function retryAfter(seconds: number) {
  return { headers: { 'Retry-After': String(seconds) } }
}

function why(reason: string | undefined, otherwise: string): string {
  return reason ? `${reason}. ${otherwise}` : otherwise
}
