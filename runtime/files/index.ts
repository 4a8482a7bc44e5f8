import { definePlugin } from '../../src/kernel/runtime.ts'
import '../auth/contract.ts'
import '../git-server/contract.ts'
import '../jobs/contract.ts'
import '../packages/contract.ts'
import '../repo/contract.ts'
import '../sdk/contract.ts'
import '../volume/contract.ts'
import { committedFileRoutes } from './committed-files.tsx'
import { editorRoutes } from './editor.tsx'
import { fileRoutes } from './file-routes.ts'
import { type Patience, usualPatience } from './files-web.ts'
import { historyRoutes } from './history.tsx'
import { rawFileRoutes } from './raw-files.tsx'
import { repoRoutes } from './repo-routes.tsx'
import { uncommittedRoutes } from './uncommitted.tsx'

/** The files plugin; tests set how long a response waits for a load. */
export const filesWith = (patience: Partial<Patience>) =>
  definePlugin({
    name: 'files',
    needs: ['auth', 'git-server', 'jobs', 'packages', 'repo', 'sdk', 'volume'],
    setup: ({ clock, services: { auth, jobs, packages, repo, sdk, volume, ...others } }) => {
      const web = {
        clone: others['git-server'],
        jobs,
        repo,
        packages,
        sdk,
        access: auth,
        clock,
        address: volume.address,
        repoFolder: volume.folders.jobsDir,
        editorScript: volume.assetUrl('editor.js'),
        patience: { ...usualPatience, ...patience },
      }
      return {
        routes: [
          ...repoRoutes(web),
          ...fileRoutes(web),
          ...rawFileRoutes(web),
          ...editorRoutes(web),
          ...historyRoutes(web),
          ...uncommittedRoutes(web),
          ...committedFileRoutes(web),
        ],
      }
    },
  })

/** The jobs repo for people and programs: its state, its files, its history. */
export const files = filesWith({})
