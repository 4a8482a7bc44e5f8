import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '..')

/** Words that stop a reader, each with what to write instead. docs/glossary.md has the words of the interface. */
const avoided: [words: RegExp, instead: string][] = [
  [/\bwhoever\b/i, 'name the person, or “anyone who”'],
  [/\bsomebody\b/i, 'name the person, or “someone”'],
  [/\bnobody\b/i, 'name the person, or “no one”'],
  [/\ban own\b/i, '“its own”, “of its own”'],
  [/\bno more(?=[.,;:)])/i, '“no longer”'],
  [/\bonce more\b/i, '“again”'],
  [/\b(?:this|every|each|no|(?<!with )a) letter\b(?! or)|\bletters (?:to|about|go|are|were)\b/i, '“email”'],
  [/\be-mails?\b/i, '“email”'],
  [/\bmend(?:s|ed|ing)?\b/i, '“fix”'],
  [/\bfree of charge\b/i, '“exempt”, “free”'],
  [/\b(?:is|are|was|all) well\b(?! as| defined)/i, '“healthy”, “works”'],
  [/\bso it stands\b|\bas it stands\b/i, '“unchanged”'],
  [/\bwhat (?:was|is) told\b|\btold of\b|\b(?:nothing|each) is told\b/i, '“sent”, “reported”'],
  [/\b(?:made|make|makes|making) up for\b/i, '“catch up”, “run later”'],
  [/\bcut short\b/i, '“interrupted”'],
  [/\bin all(?=[.,;:)`'])/i, '“in total”, or only the number'],
  [/\bfrom before\b/i, '“previous”, “existing”'],
  [/\bunder way\b/i, '“in progress”'],
  [/\blog (?:in|out)\b/i, '“sign in”, “sign out”'],
  [/\b(?:a|the|every|each|one’s|his) box\b|\bboxes\b/i, '“instance”'],
  [/\bof its kin\b|\band (?:its|the) like\b/i, '“and similar”'],
]

/** Also avoided in comments and in the names of tests, which engineers read. */
const avoidedInCode: typeof avoided = [
  ...avoided,
  [/\banybody\b/i, 'name the person, or “anyone”'],
  [/\beverybody\b/i, 'name the people, or “everyone”'],
  [/\btold\b/i, '“reported”, “shown”, “sent” or “distinguished”'],
]

test('documents, pages, emails and messages use the words of the glossary', () => {
  const documents = globSync(
    ['*.md', 'docs/**/*.md', '.github/**/*.{md,yml}', 'jobs-template/**/*.{md,ts}'],
    { cwd: root },
  ).filter(file => file !== 'docs/glossary.md')
  const sources = globSync('{views,runtime,plugins,control-plane,cli,src}/**/*.{ts,tsx}', {
    cwd: root,
  }).filter(file => !/\.(test|fixture)\.tsx?$|^src\/testing\//.test(file))
  assert.ok(documents.length > 50 && sources.length > 400, 'the files were found')
  const found = [
    ...documents.flatMap(file => faults(file, read(file))),
    ...sources.flatMap(file => faults(file, withoutComments(read(file)))),
  ]
  assert.deepEqual(found, [])
})

test('comments and test names use the words of the glossary', () => {
  const files = globSync(
    '{views,runtime,plugins,control-plane,cli,src,sdk,e2e,bench,scripts,docker,jobs-template}/**/*.{ts,tsx,mjs}',
    { cwd: root },
  ).filter(file => file !== 'src/words.test.ts')
  assert.ok(files.length > 800, 'the files were found')
  const found = files.flatMap(file => {
    const source = read(file)
    const text = [...commentsIn(source), ...(file.includes('.test.') ? testNamesIn(source) : [])]
    return text.flatMap(each => faults(file, each, avoidedInCode))
  })
  assert.deepEqual(found, [])
})

test('words are found across lines, and not in comments', () => {
  assert.deepEqual(faults('page', 'Once\n      more, mend it.'), [
    'page: “Once more, mend it.”: instead of “Once more”, write “again”',
    'page: “Once more, mend it.”: instead of “mend”, write “fix”',
  ])
  const source = `
    // whoever
    /** Somebody. */
    const page = 'https://example.com/nobody' // an own
  `
  assert.deepEqual(withoutComments(source).trim(), "const page = 'https://example.com/nobody'")
  assert.deepEqual(
    commentsIn(source).map(comment => comment.trim()),
    ['// whoever', '/** Somebody. */', '// an own'],
  )
})

test('names of tests are found, on the next line and in loops too', () => {
  const source = `
    test('a run succeeds', () => {})
    for (const way of ways) await t.test(\`it runs by \${way}\`, () => {})
    test(
      'a long name',
      () => {},
    )
    pattern.test('no name')
  `
  assert.deepEqual(testNamesIn(source), ['a run succeeds', `it runs by \${way}`, 'a long name'])
})

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8')
}

function faults(file: string, text: string, words = avoided): string[] {
  const line = text.replace(/\s+/g, ' ')
  return words.flatMap(([words, instead]) =>
    [...line.matchAll(new RegExp(words, 'gi'))].map(match => {
      const around = line.slice(Math.max(0, match.index - 60), match.index + 60).trim()
      return `${file}: “${around}”: instead of “${match[0]}”, write ${instead}`
    }),
  )
}

const comment = /\/\*[*\s][\s\S]*?\*\/|(?:^|(?<=\s))\/\/ .*$/gm

function withoutComments(source: string): string {
  return source.replace(comment, '')
}

/** Lines of one comment that follow each other are one text. */
function commentsIn(source: string): string[] {
  const lines = source.replace(/^(\s*\/\/ .*)\n\s*\/\/ (?=.)/gm, '$1 ')
  return (lines.match(comment) ?? []).map(text => text.replace(/\n\s*\* ?/g, '\n'))
}

function testNamesIn(source: string): string[] {
  return [...source.matchAll(/(?<![\w.]|\b(?!t\b)\w+\.)(?:t\.)?test\(\s*(['"`])(.*?)\1/g)].map(
    ([, , name]) => name ?? '',
  )
}
