import { restoreRecords } from '../plugins/backup/index.ts'
import { siteConfig } from '../plugins/site/index.ts'
import { BootError } from '../src/boot-error.ts'
import { timestamp } from '../src/clock.ts'
import { parseConfig } from '../src/kernel/config.ts'

/**
 * `restore.js [store]`: makes a fresh host whole. With the settings of the control plane in its environment, it puts the newest
 * copy of the control plane's records into the empty data root; `store` stands for BACKUP_STORE. The control plane, started
 * after that, restores every volume.
 */
async function main([store]: readonly string[]): Promise<void> {
  const env = store ? { ...process.env, BACKUP_STORE: store } : process.env
  const { config: site, faults } = parseConfig(siteConfig, env)
  if (!site) throw new BootError(faults)
  const stopping = new AbortController()
  process.once('SIGINT', () => stopping.abort())
  const { createdAt, instances, copied, missingKeys } = await restoreRecords(
    site.dataRoot,
    env,
    stopping.signal,
  )
  const without = instances - copied
  const lines = [
    `The records of ${timestamp(createdAt)} are in ${site.dataRoot}, with ${instances} instances.`,
    ...(without > 0 ? [`${without} of them have no copy in the store.`] : []),
    ...missingKeys.map(({ file, use }) => `Put back ${file} before you start: it ${use}.`),
    'Start the control plane with the same BACKUP_… settings: it restores the volumes, and starts the instances that should run.',
  ]
  process.stdout.write(`${lines.join('\n')}\n`)
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`Longhouse ${(error as Error).message}\n`)
  process.exit(1)
}
