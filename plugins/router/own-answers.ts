import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Problem } from '../../src/http/problem.ts'
import { siteUrl } from '../site/contract.ts'
import type { Destination } from './contract.ts'
import type { Origin } from './intake/peer.ts'
import { type Refuse, refuseAs } from './intake/refusal.tsx'
import type { Target } from './intake/target.ts'
import { routedElsewhere, shuttingDown, unavailable, unknownAddress } from './intake/unavailable.ts'
import type { EdgeRecord } from './record.ts'
import type { EdgeOptions } from './settings.ts'

type ForInstance = Extract<Target, { kind: 'instance' }>

interface Asker {
  options: EdgeOptions
  record: EdgeRecord
  originOf(request: IncomingMessage, host: string): Origin
  destinationOf(subdomain: string): Destination | undefined
}

/** What the edge answers in place of an instance. */
export class OwnAnswers {
  readonly #asker: Asker
  readonly #answer: Refuse
  /** Whether each answer is the last one on its connection, because the program is going to stop. */
  closing = false
  /** Whether no request is passed on any more. */
  stopping = false

  constructor(asker: Asker) {
    const { site } = asker.options
    this.#asker = asker
    this.#answer = refuseAs({ brand: site.brand, controlPlane: () => siteUrl(site, 'control') })
  }

  /** Answers a request that the instance does not. Returns the bytes of the answer's body. */
  refuse = (request: IncomingMessage, response: ServerResponse, problem: Problem): number => {
    if (this.closing) response.shouldKeepAlive = false
    const bytes = this.#answer(request, response, problem)
    this.#asker.record.answeredHere(response, problem, bytes)
    return bytes
  }

  /** Refuses a request that was not admitted. */
  turnAway(
    request: IncomingMessage,
    response: ServerResponse,
    problem: Problem,
    target?: ForInstance,
    origin = this.#asker.originOf(request, ''),
  ): void {
    const bytes = this.refuse(request, response, problem)
    const instance = target?.subdomain ?? null
    const host = target?.host ?? request.headers.host ?? ''
    this.#asker.record.turnedAway(request, problem, bytes, { client: origin.client, instance, host })
  }

  /** Why a request for a subdomain is not passed on. */
  unavailable(subdomain: string): Problem {
    if (this.stopping) return shuttingDown()
    const destination = this.#asker.destinationOf(subdomain)
    return destination ? unavailable(destination) : this.#unknownAddress()
  }

  /** Why a request that is for no instance is refused. */
  refusalOf(target: Exclude<Target, { kind: 'control' | 'instance' }>): Problem {
    return target.kind === 'malformed' ? target.problem : this.#unknownAddress()
  }

  #unknownAddress(): Problem {
    const { routes, site } = this.#asker.options
    return routes ? unknownAddress(siteUrl(site, 'control')) : routedElsewhere()
  }
}
