import { headTooLarge, type Problem } from '../../../src/http/problem.ts'
import type { Destination } from '../contract.ts'
import * as problems from './problems.ts'

/** Why requests cannot be passed on to where a subdomain leads now. */
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

/** Closes the connection instead of reading the rest of a body that no one needs. */
export function crowded(): Problem {
  return problems.crowded(
    'The instance has reached its limit of simultaneous requests. Try again in a few seconds.',
    { headers: { 'Retry-After': '5', Connection: 'close' } },
  )
}

export function longHead(limitBytes: number): Problem {
  return headTooLarge(
    `Send fewer or shorter headers: ${limitBytes / 1024} KiB is the limit. In a browser, delete this site’s cookies.`,
    { headers: { Connection: 'close' } },
  )
}

function retryAfter(seconds: number) {
  return { headers: { 'Retry-After': String(seconds) } }
}

function why(reason: string | undefined, otherwise: string): string {
  return reason ? `${reason}. ${otherwise}` : otherwise
}
