import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import { notFound } from '../../src/http/problem.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import type { SdkService } from './contract.ts'

/** The route that npm installs the package from. It needs no sign-in: npm has none for such an address. */
export function sdkRoutes(sdk: SdkService): Route[] {
  return [
    route({
      method: 'get',
      path: '/sdk/{file}',
      operation: 'getSdk',
      summary:
        'The npm package with the types of `longhouse/jobs` and the command, `longhouse-{version}.tgz`; every version that this instance served stays available',
      guard: open,
      params: z.object({ file: z.string() }),
      answers: {
        200: {
          description: 'The package',
          type: 'application/gzip',
          headers: { 'Cache-Control': 'It never changes' },
        },
      },
      handle: (c, { params: { file } }) => {
        const tarball = sdk.tarball(file)
        if (tarball === null) throw unknownVersion(file, sdk)
        if (file === basename(sdk.path)) sdk.keep()
        c.header('Content-Type', 'application/gzip')
        c.header('Cache-Control', 'public, max-age=31536000, immutable')
        return c.body(new Uint8Array(readFileSync(tarball)))
      },
    }),
  ]
}

function unknownVersion(file: string, { address, path }: SdkService) {
  const install = `npm install --save-dev --allow-remote=root ${address ?? `<the address of the instance>${path}`}`
  const words = `This instance has no ${JSON.stringify(file)}. Install the package that it has: ${install}`
  // npm prints this header.
  return notFound(words, { headers: { 'npm-notice': words.replaceAll(/[^\x20-\x7e]/g, '?') } })
}
