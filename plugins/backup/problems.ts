import { defineProblem } from '../../src/http/problem.ts'

export const unknownBackup = defineProblem('unknown-backup', 404, 'No such backup')
export const noBackups = defineProblem('no-backups', 503, 'Backups cannot be made now')
export const backupFailed = defineProblem('backup-failed', 502, 'The backup could not be made')
export const archiveTooLarge = defineProblem('archive-too-large', 413, 'The archive is too large')
export const tooManyUploads = defineProblem('too-many-uploads', 429, 'Too many archives were uploaded')
export const tooManyDownloads = defineProblem(
  'too-many-downloads',
  429,
  'Too many archives are being downloaded',
)
export const notTried = defineProblem('not-tried', 503, 'The backup could not be tried')
