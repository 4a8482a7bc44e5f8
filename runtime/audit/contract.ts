export type { AuditEntry } from './audit-log.ts'
