import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { notFound } from '../../src/http/problem.ts'
import { open, type Route, route } from '../../src/http/route.ts'
import { type Site, siteUrl } from '../site/contract.ts'

/** Leads to the package of this build. */
const newest = 'longhouse.tgz'

/** The route that npm installs the package in `folder` from. It needs no sign-in: npm has none for such an address. */
export function packageRoutes(folder: string, site: Site): Route[] {
  const current = readdirSync(folder).find(name => /^longhouse-\d[\w.-]*\.tgz$/.test(name))
  if (current === undefined) throw new Error(`there is no package longhouse in ${folder}`)
  return [
    route({
      method: 'get',
      path: '/sdk/{file}',
      operation: 'getSdk',
      tag: 'sdk',
      summary: `The npm package with the command: \`${newest}\` leads to \`longhouse-{version}.tgz\` of this control plane`,
      guard: open,
      params: z.object({ file: z.string() }),
      answers: {
        200: {
          description: 'The package',
          type: 'application/gzip',
          headers: { 'Cache-Control': 'It never changes' },
        },
        302: { description: 'To the package of this control plane' },
      },
      handle: (c, { params: { file } }) => {
        if (file === newest) {
          c.header('Cache-Control', 'no-store')
          return c.redirect(`/sdk/${current}`, 302)
        }
        if (file !== current) throw unknownVersion(file, `${siteUrl(site, 'control')}/sdk/${newest}`)
        c.header('Content-Type', 'application/gzip')
        c.header('Cache-Control', 'public, max-age=31536000, immutable')
        return c.body(new Uint8Array(readFileSync(join(folder, current))))
      },
    }),
  ]
}

function unknownVersion(file: string, address: string) {
  const words = `This control plane has no ${JSON.stringify(file)}. Install the package that it has: npm install --global --allow-remote=root ${address}`
  // npm prints this header.
  return notFound(words, { headers: { 'npm-notice': words.replaceAll(/[^\x20-\x7e]/g, '?') } })
}
