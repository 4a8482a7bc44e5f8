import { writeFileSync } from 'node:fs'

interface Options {
  file: string
}

/** A transport: counts the lines of each level. */
export default async function counting({ file }: Options) {
  const { default: build } = await import('pino-abstract-transport')
  return build(async source => {
    const counts: Record<string, number> = {}
    for await (const { level } of source) counts[level] = (counts[level] ?? 0) + 1
    writeFileSync(file, JSON.stringify(counts))
  })
}
