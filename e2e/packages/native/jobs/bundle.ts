import { build } from 'esbuild'

export async function run() {
  const { outputFiles } = await build({
    stdin: { contents: 'export const answer: number = 6 * 7', loader: 'ts' },
    minify: true,
    write: false,
    format: 'esm',
  })
  return outputFiles[0]?.text
}
