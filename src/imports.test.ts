import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const rooms = ['src', 'views', 'plugins', 'control-plane', 'runtime'] as const

/** What each room may import from, beside itself. */
const allowed: Record<(typeof rooms)[number], readonly string[]> = {
  src: [],
  views: [],
  plugins: ['src', 'views'],
  'control-plane': ['src', 'views', 'plugins'],
  runtime: ['src', 'views'],
}

interface Arrow {
  from: string
  to: string
  /** Only types: gone when the program runs. */
  typeOnly: boolean
}

const files = rooms
  .flatMap(room => globSync(`${room}/**/*.{ts,tsx}`, { cwd: root }))
  // Tests, and the fixtures that only they use, may reach for whatever they ask about.
  .filter(file => !/\.(test|fixture|d)\.tsx?$/.test(file))
const arrows: Arrow[] = files.flatMap(file => {
  const text = readFileSync(join(root, file), 'utf8').replace(/^\s*(\*|\/\/).*$/gm, '')
  const found = text.matchAll(
    /(?:^|\n)\s*(import|export)(\s+type)?\b[^'"`;]*?from\s+'(\.[^']+)'|import\(?\s*'(\.[^']+)'\)?/g,
  )
  return [...found].map(match => ({
    from: file,
    to: relative(root, join(root, dirname(file), match[3] ?? match[4] ?? '')),
    typeOnly: match[2] !== undefined,
  }))
})
const roomOf = (file: string) => file.split('/')[0] ?? ''

test('imports are found at all, and lead to files', () => {
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

test('imports point one way: main → plugins → views, src and runtime → views, src', () => {
  const wrong = arrows.filter(({ from, to }) => {
    const room = roomOf(from) as (typeof rooms)[number]
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

test('no circle of imports exists', () => {
  const next = new Map<string, string[]>()
  for (const { from, to, typeOnly } of arrows) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to])
  const circles: string[] = []
  const done = new Set<string>()
  const walk = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file)
    if (start >= 0) {
      circles.push([...path.slice(start), file].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const to of next.get(file) ?? []) walk(to, [...path, file])
    done.add(file)
  }
  for (const file of files) walk(file, [])
  assert.deepEqual(circles, [])
})
