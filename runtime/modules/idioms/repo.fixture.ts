/** Repos by what they show. Each has a job `job`; what it returns is the same here and with tsx in a clone. */
export type Idioms = Record<string, Record<string, string | Buffer>>

export const manifest = (from = './jobs/job') => `import { jobRegistry } from 'longhouse/jobs'
import { run } from '${from}'

jobRegistry.register({ id: 'job', cron: '@daily', func: run })
`

export const module = '{ "type": "module" }'
const strict = {
  compilerOptions: {
    strict: true,
    module: 'preserve',
    moduleResolution: 'bundler',
    allowImportingTsExtensions: true,
    noEmit: true,
  },
}

/** A `tsconfig.json` with these compiler options, besides strict ones. */
export const tsconfig = (options: object) =>
  JSON.stringify({ compilerOptions: { ...strict.compilerOptions, ...options } })

/** `add(i32, i32): i32` */
export const addWasm = Buffer.from('AGFzbQEAAAABBwFgAn9/AX8DAgEABwcBA2FkZAAACgkBBwAgACABags=', 'base64')
