import type { Clock } from '../../src/clock.ts'
import { wantsPage } from '../../src/http/negotiate.ts'
import type { AppContext, Guard } from '../../src/http/route.ts'
import { type RepoService, repoJson, repoShape } from '../repo/contract.ts'
import type { SyncService } from './contract.ts'

/** What the routes of sync need. */
export interface SyncWeb {
  sync: SyncService
  repo: Pick<RepoService, 'status'>
  guard: Guard
  clock: Clock
  /** The address of the instance. */
  address: string
}

/** What the routes answer that change the remote or sync with it. */
export function syncAnswers({ repo }: Pick<SyncWeb, 'repo'>) {
  return {
    answers: {
      200: { description: 'The jobs repo and its remote', schema: repoShape },
      303: { description: 'For a browser: back to the page' },
    },
    done: async (c: AppContext) =>
      wantsPage(c) ? c.redirect('/repo/remote', 303) : c.json(repoJson(await repo.status())),
  }
}

export type SyncAnswers = ReturnType<typeof syncAnswers>
