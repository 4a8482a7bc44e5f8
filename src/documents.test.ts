import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')

test('the index of decisions lists each of them once, by its heading, with a date and a status', () => {
  const rows = read('docs/decisions/README.md')
    .split('\n')
    .filter(line => line.startsWith('| 2'))
  const listed = rows.map(row => {
    const [, date = '', title = '', file = '', status = ''] =
      /^\| (\S+) \| \[(.*)\]\(([^)]+)\) \| (.*) \|$/.exec(row) ?? []
    assert.match(date, /^\d{4}-\d{2}-\d{2}$/, row)
    assert.match(status, /^(in force|changed|replaced)$/, row)
    return { file, title }
  })
  const found = globSync('*.md', { cwd: join(root, 'docs/decisions') })
    .filter(file => file !== 'README.md')
    .map(file => ({ file, title: /^# (.*)$/m.exec(read(join('docs/decisions', file)))?.[1] ?? '' }))
  const byFile = (one: { file: string }, other: { file: string }) => (one.file < other.file ? -1 : 1)
  assert.deepEqual(listed.sort(byFile), found.sort(byFile))
})

test('links between documents lead to existing files and headings', () => {
  const documents = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
  assert.ok(documents.length > 40)
  const broken = documents.flatMap(document =>
    [...read(document).matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].flatMap(([, target = '']) => {
      const [path = '', heading] = target.split('#')
      const file = path === '' ? document : join(dirname(document), path)
      if (!existsSync(join(root, file))) return [`${document} → ${target}`]
      if (heading === undefined || !file.endsWith('.md')) return []
      return headingsOf(file).includes(heading) ? [] : [`${document} → ${target}`]
    }),
  )
  assert.deepEqual(broken, [])
})

/** What the examples of the guide make. */
const madeByReaders = /^(plugins\/remarks|runtime\/contacts)\//

test('files, folders and scripts of the repository that documents name exist', () => {
  const documents = globSync(['*.md', 'docs/**/*.md', 'bench/*.md'], { cwd: root })
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  const missing = documents
    // What a version changed stays as it was written.
    .filter(document => document !== 'CHANGELOG.md')
    .flatMap(document => {
      const text = read(document)
      const rooms =
        'bench|cli|control-plane|docker|docs|e2e|jobs-template|plugins|runtime|scripts|sdk|src|views'
      const named = text.matchAll(new RegExp(`(?:\`|npm test |node )((?:${rooms})/[\\w./-]+)`, 'g'))
      const files = [...named].map(([, file = '']) => file)
      // Pages about jobs speak of the scripts of a jobs repo.
      const ofOurs = !/^docs\/(jobs|own-machine)\.md$/.test(document)
      const run = ofOurs ? [...text.matchAll(/\bnpm run ([\w-]+)/g)].map(([, script = '']) => script) : []
      return [
        ...files.filter(file => !madeByReaders.test(file) && !existsSync(join(root, file))),
        ...run.filter(script => scripts[script] === undefined).map(script => `npm run ${script}`),
      ].map(each => `${document}: ${each}`)
    })
  assert.deepEqual(missing, [])
})

test('the list of benchmarks names each of them once', () => {
  const listed = [...read('bench/README.md').matchAll(/^\| `([\w-]+)` \|/gm)].map(([, name]) => name)
  const found = globSync('*.ts', { cwd: join(root, 'bench') })
    .filter(file => !file.endsWith('.fixture.ts'))
    .map(file => file.replace(/\.ts$/, ''))
  assert.deepEqual(listed.sort(), found.sort())
})

test('the map of the repository names each folder of the top two levels once', () => {
  const map = read('docs/architecture.md').split('## Where things are')[1]?.split('\n## ')[0] ?? ''
  const rows = [...map.matchAll(/^\| (`.*?) \|/gm)].map(([, folders = '']) => folders)
  const listed = rows.flatMap(folders => [...folders.matchAll(/`([^`]+)\/`/g)].map(([, folder]) => folder))
  // Hidden folders are not found by `*`; the others are made, and not kept in git.
  const made = (folder: string) => /^(node_modules|data|dist|tmp|sbom)\b/.test(folder)
  const folders = globSync(['*/', '*/*/'], { cwd: root })
    .map(folder => folder.replace(/\/$/, ''))
    .filter(folder => !made(folder))
  assert.deepEqual(listed.sort(), folders.sort())
})

/** The anchors that GitHub makes of a document's headings. */
function headingsOf(file: string): string[] {
  return [...read(file).matchAll(/^#+ (.*)$/gm)].map(([, words = '']) =>
    words
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-'),
  )
}
