import { definePlugin } from '../../src/kernel/control-plane.ts'
import { declaration } from './declaration.ts'
import { setUpBackup } from './setup.ts'

export { restoreRecords, restoringDraft } from './restore-records.ts'

export const backup = definePlugin({ ...declaration, setup: setUpBackup })
