import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const rooms = ['src', 'sdk', 'views', 'plugins', 'control-plane', 'runtime', 'cli'] as const

/** What each room may import from, beside itself. */
const allowed: Record<(typeof rooms)[number], readonly string[]> = {
  src: [],
  sdk: [],
  views: [],
  plugins: ['src', 'views'],
  'control-plane': ['src', 'views', 'plugins'],
  runtime: ['src', 'views', 'sdk'],
  cli: ['src', 'views', 'runtime'],
}

interface Arrow {
  from: string
  to: string
  /** Only types: gone when the program runs. */
  typeOnly: boolean
}

const everyFile = rooms.flatMap(room => globSync(`${room}/**/*.{ts,tsx}`, { cwd: root }))
// Tests, and the fixtures that only they use, may import what they ask about.
const files = everyFile.filter(file => !/\.(test|fixture|d)\.tsx?$/.test(file))
const arrows = files.flatMap(importsOf)

function importsOf(file: string): Arrow[] {
  const text = readFileSync(join(root, file), 'utf8').replace(/^\s*(\*|\/\/).*$/gm, '')
  const found = text.matchAll(
    /(?:^|\n)\s*(import|export)(\s+type)?\b[^'"`;]*?from\s+'(\.[^']+)'|import\(?\s*'(\.[^']+)'\)?/g,
  )
  return [...found].map(match => ({
    from: file,
    to: relative(root, join(root, dirname(file), match[3] ?? match[4] ?? '')),
    typeOnly: match[2] !== undefined,
  }))
}

const roomOf = (file: string) => file.split('/')[0] ?? ''

test('imports are found, and lead to files', () => {
  assert.ok(arrows.length > 150, `only ${arrows.length} imports found`)
  const known = new Set(
    globSync(
      rooms.map(room => `${room}/**/*`),
      { cwd: root },
    ),
  )
  assert.deepEqual(
    arrows.filter(({ to }) => !known.has(to)).map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

test('imports point one way: program → features → views, src', () => {
  const wrong = arrows.filter(({ from, to, typeOnly }) => {
    const room = roomOf(from) as (typeof rooms)[number]
    // Pages show the types that a feature offers its neighbours.
    if (room === 'views' && typeOnly && /^(plugins|runtime)\/([^/]+\/)?contract\.ts$/.test(to)) return false
    return roomOf(to) !== room && !allowed[room].includes(roomOf(to))
  })
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

test('plugins know each other only through contract.ts', () => {
  const plugin = (file: string) => file.split('/')[1]
  const wrong = arrows.filter(
    ({ from, to }) =>
      roomOf(from) === 'plugins' &&
      roomOf(to) === 'plugins' &&
      plugin(from) !== plugin(to) &&
      !to.endsWith('/contract.ts'),
  )
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

/** Folders of the runtime with an `index.ts` are features; the others hold what every feature may use. */
const isFeature = (name: string) => existsSync(join(root, 'runtime', name, 'index.ts'))
/** '' for the program itself. */
const partOf = (file: string) => (file.split('/').length > 2 ? (file.split('/')[1] ?? '') : '')
const inRuntime = arrows.filter(({ from, to }) => roomOf(from) === 'runtime' && roomOf(to) === 'runtime')

test('features of the runtime know each other only through contract.ts, and nothing imports the program', () => {
  const wrong = inRuntime.filter(({ from, to }) => {
    const [one, other] = [partOf(from), partOf(to)]
    if (one === '' || one === other) return false
    return other === '' || (isFeature(other) && !to.endsWith('/contract.ts'))
  })
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

test('a file imports from twenty others at most', () => {
  const wide = files.filter(file => {
    const text = readFileSync(join(root, file), 'utf8')
    const named = text.matchAll(/^(?:import|export)\b[^'"`;]*?from\s+'([^']+)'|^import '([^']+)'/gm)
    return new Set([...named].map(match => match[1] ?? match[2])).size > 20
  })
  assert.deepEqual(wide, [])
})

test('views take props: no database, no network, no configuration, no file', () => {
  const wrong = files
    .filter(file => roomOf(file) === 'views')
    .flatMap(file => {
      const text = readFileSync(join(root, file), 'utf8')
      const modules = [...text.matchAll(/from '([^'.][^']*)'/g)].map(match => match[1] ?? '')
      return modules
        .filter(
          name =>
            name.startsWith('node:') || builtinModules.includes(name) || !/^hono\/(jsx|html)/.test(name),
        )
        .map(name => `${file} imports ${name}`)
        .concat(
          /\bprocess\.env\b|\bfetch\(/.test(text) ? [`${file} reads the environment or the network`] : [],
        )
    })
  assert.deepEqual(wrong, [])
})

test('only e2e imports from e2e: fixtures that several rooms use stand in src/testing', () => {
  const wrong = everyFile.flatMap(importsOf).filter(({ to }) => roomOf(to) === 'e2e')
  assert.deepEqual(
    wrong.map(({ from, to }) => `${from} → ${to}`),
    [],
  )
})

/** A plugin's folder with folders in it: `plugins/billing`, `runtime/jobs`. */
const featureOf = (file: string) => /^(?:plugins|runtime)\/[^/]+(?=\/[^/]+$)/.exec(file)?.[0]

/** The files at the root of a plugin that put its folders together; what else stands there is what the folders share. */
const above = new Set<string>()
for (let size = -1; size !== above.size; ) {
  size = above.size
  for (const { from, to } of arrows) {
    const feature = featureOf(from)
    if (feature === undefined || !to.startsWith(`${feature}/`)) continue
    if (dirname(to) !== feature || above.has(to)) above.add(from)
  }
}

/** The folder of a file. The root of a plugin counts as two: one above its folders, and one below them. */
const folderOf = (file: string) => (above.has(file) ? `${dirname(file)} (above)` : dirname(file))

test('folders do not import each other, not even types', () => {
  const between = arrows
    .map(({ from, to }) => ({ from: folderOf(from), to: folderOf(to), by: `${from} → ${to}` }))
    .filter(({ from, to }) => from !== to)
  for (const [from, to] of [
    ['plugins/billing (above)', 'plugins/billing/checkout'],
    ['runtime/jobs (above)', 'runtime/jobs/slots'],
    ['runtime/jobs/slots', 'runtime/jobs'],
  ]) {
    assert.ok(
      between.some(arrow => arrow.from === from && arrow.to === to),
      `${from} does not import ${to}`,
    )
  }
  // A neighbour's contract is no step: neighbours are in the order of their needs.
  const steps = between.filter(({ by }) => !by.endsWith('/contract.ts'))
  const pairs = steps.filter(({ from, to }) => steps.some(back => back.from === to && back.to === from))
  assert.deepEqual(
    pairs.map(({ by }) => by),
    [],
    'two folders import each other',
  )
  assert.deepEqual(circlesOf(steps), [], 'folders import each other in a circle')
})

test('no folder holds more than twenty files, tests not counted', () => {
  const sizes = Map.groupBy(files, file => dirname(file))
  assert.deepEqual(
    [...sizes].filter(([, inside]) => inside.length > 20).map(([folder]) => folder),
    [],
  )
})

test('no circle of imports exists, types counted', () => {
  assert.deepEqual(circlesOf(arrows), [])
})

/** The circles in a graph, each as a path that ends where it began. */
function circlesOf(edges: readonly { from: string; to: string }[]): string[] {
  const next = Map.groupBy(edges, ({ from }) => from)
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (node: string, path: readonly string[]) => {
    const start = path.indexOf(node)
    if (start >= 0) {
      circles.push([...path.slice(start), node].join(' → '))
      return
    }
    if (done.has(node)) return
    for (const { to } of next.get(node) ?? []) walk(to, [...path, node])
    done.add(node)
  }
  for (const node of next.keys()) walk(node, [])
  return circles
}
