import { z } from 'zod'
import { setting, sizeBytes } from '../../src/kernel/config.ts'
import { driverConfig } from './drivers/choice.ts'
import { instanceMailConfig } from './records/instance-mail.ts'
import { secretKeysConfig } from './records/secret-keys.ts'

export const provisionerConfig = driverConfig
  .and(
    z.object({
      /** How long an instance may take to become healthy, and to stop by itself. */
      PROVISIONER_DEADLINE: setting.duration().prefault('60s'),
      PROVISIONER_STOP_GRACE: setting.duration().prefault('30s'),
      /** Operations that are carried out at the same time. */
      PROVISIONER_CONCURRENCY: setting.integer(1, 256).prefault('16'),
      /** How long the name of a purged instance is kept from other accounts. */
      PROVISIONER_QUARANTINE: setting.duration('0ms', '3650d').prefault('30d'),
      /** The zone of jobs that name none. */
      INSTANCE_TIMEZONE: setting.timezone().default('UTC'),
      /** How many runs of each job an instance keeps, and for how long. */
      INSTANCE_KEEP_RUNS: setting.integer(1, 100_000).prefault('500'),
      INSTANCE_KEEP_FOR: setting.duration('1h', '3650d').prefault('90d'),
      /** How much of the disk one installation of an instance's packages may take. */
      INSTANCE_PACKAGES_LIMIT: setting.size('1m', '100g').prefault('2g'),
      /** How much of the disk an instance may take; 0 for no limit. */
      INSTANCE_DISK: z
        .string()
        .refine(
          text =>
            text === '0' || (sizeBytes(text) >= 64 * 1024 ** 2 && sizeBytes(text) <= 102_400 * 1024 ** 3),
          'must be a size from 64m to 102400g, or 0 for no limit',
        )
        .transform(text => (text === '0' ? null : sizeBytes(text)))
        .prefault('10g'),
      /** How many runs of an instance may be in progress at the same time. */
      INSTANCE_RUNS: setting.integer(1, 1000).prefault('8'),
      /** Images of the runtime that nothing needs are removed at this age; 0 removes none by itself. */
      PRUNE_IMAGES_AFTER: setting.duration('0ms', '3650d').prefault('0ms'),
      /** Days that the volume of a removed instance is kept; 0 keeps it until it is purged. */
      RETENTION_DAYS: setting.integer(0, 3650).prefault('30'),
    }),
  )
  .and(secretKeysConfig)
  .and(instanceMailConfig)
