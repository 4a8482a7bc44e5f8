import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')
const isProduct = (file: string) => !/\.(test|fixture)\.tsx?$/.test(file)

/** Every kind of problem that a program may answer, as `<file>: <status> <title>`, by its id. */
function problemsOf(folders: readonly string[]): Map<string, string[]> {
  const found = folders
    .flatMap(folder => globSync(`${folder}/**/*.{ts,tsx}`, { cwd: root }))
    .filter(isProduct)
    .toSorted()
    .flatMap(file => {
      const text = readFileSync(join(root, file), 'utf8')
      return [...text.matchAll(/\bdefineProblem\(\s*'([^']+)',\s*(\d+),\s*(['"])(.+?)\3/g)].map(
        ([, id = '', status, , title]) => ({ id, words: `${file}: ${status} ${title}` }),
      )
    })
  const byId = Map.groupBy(found, ({ id }) => id)
  return new Map([...byId].map(([id, all]) => [id, all.map(({ words }) => words)]))
}

for (const { program, least } of [
  { program: 'plugins', least: 80 },
  { program: 'runtime', least: 40 },
])
  test(`in ${program}, the id of a problem is defined once, so it has one status and one title`, () => {
    const problems = problemsOf(['src', program])
    assert.ok(problems.size >= least, `only ${problems.size} problems found`)
    assert.deepEqual(
      [...problems].filter(([, all]) => all.length > 1),
      [],
    )
  })
