import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import type { TestContext } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Plugin } from '../kernel/plugin.ts'
import { temporaryFolder } from './folder.ts'

const root = join(import.meta.dirname, '../..')

/**
 * Builds the plugin described in CONTRIBUTING.md in a folder such as `plugins/remarks`: writes its files, compiles
 * them, creates the migration with the documented command, and loads it. `files` are the names of the files on the
 * page.
 */
export async function workedExample(
  t: Pick<TestContext, 'after'>,
  folder: string,
): Promise<{ plugin: Plugin; files: string[] }> {
  const guide = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8')
  const shown = [...guide.matchAll(/^`([a-z/]+)\/([a-z]+\.ts)`:\n\n```ts\n([\s\S]*?)^```$/gm)].flatMap(
    ([, where, file = '', code = '']) => (where === folder ? [{ file, code }] : []),
  )
  const dir = placeBeside(t, folder)
  for (const { file, code } of shown) writeFileSync(join(dir, folder, file), code)
  const run = (program: string, ...args: string[]) =>
    execFileSync(join(root, 'node_modules/.bin', program), args, { cwd: dir, encoding: 'utf8' })

  const tsconfig = {
    extends: join(root, 'tsconfig.json'),
    include: [`${folder}/*.ts`],
    compilerOptions: { incremental: false },
  }
  writeFileSync(join(dir, 'tsconfig.example.json'), JSON.stringify(tsconfig))
  run('tsc', '--noEmit', '-p', 'tsconfig.example.json')

  run('biome', 'check', `--config-path=${root}`, folder)

  const commands = [...guide.matchAll(/^npx (drizzle-kit .*)$/gm)].map(([, command = '']) => command)
  const [program = '', ...args] = commands.find(command => command.includes(`${folder}/`))?.split(' ') ?? []
  run(program, ...args)

  const name = folder.slice(folder.lastIndexOf('/') + 1)
  const module: Record<string, Plugin> = await import(pathToFileURL(join(dir, folder, 'index.ts')).href)
  const plugin = module[name]
  if (!plugin) throw new Error(`${folder}/index.ts exports no ${name}`)
  const tables = plugin.tables && {
    ...plugin.tables,
    migrations: relative(root, join(dir, plugin.tables.migrations)),
  }
  return { plugin: { ...plugin, tables }, files: shown.map(({ file }) => file) }
}

/** A copy of the project made of links, in which this folder is empty and separate. */
function placeBeside(t: Pick<TestContext, 'after'>, folder: string): string {
  const dir = temporaryFolder(t)
  const above = dirname(folder)
  mkdirSync(join(dir, folder), { recursive: true })
  for (const name of readdirSync(join(root, above)))
    symlinkSync(join(root, above, name), join(dir, above, name))
  for (const name of ['src', 'views', 'node_modules', 'tsconfig.json', 'package.json'])
    symlinkSync(join(root, name), join(dir, name))
  return dir
}
