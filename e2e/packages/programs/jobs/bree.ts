import { join } from 'node:path'
import Bree from 'bree'

/** Two workers of a Bree scheduler, in TypeScript and in JavaScript, each run once. */
export async function run() {
  const heard: Record<string, unknown> = {}
  const bree = new Bree({
    root: join(import.meta.dirname, '../workers'),
    defaultExtension: 'ts',
    logger: false,
    jobs: [
      { name: 'sum', worker: { workerData: { values: [1, 2, 3] } } },
      {
        name: 'old',
        path: join(import.meta.dirname, '../workers/old.cjs'),
        worker: { workerData: { word: 'old' } },
      },
    ],
    workerMessageHandler: ({ name, message }) => {
      heard[name] = message
    },
  })
  const ended = Promise.all(
    ['sum', 'old'].map(
      name =>
        new Promise<void>(done => {
          bree.on('worker deleted', gone => gone === name && done())
        }),
    ),
  )
  await bree.run('sum')
  await bree.run('old')
  await ended
  return Object.fromEntries(Object.entries(heard).sort())
}
