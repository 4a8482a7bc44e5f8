/** What the control plane answers, as far as commands show it. Its `/openapi.json` describes all of it. */

export interface OperationJson {
  id: string
  kind: string
  status: string
  error: string | null
  actor: { kind: string; name: string } | null
  created_at: string
  finished_at: string | null
  steps: { name: string; status: string; detail: string | null }[]
}

export interface InstanceJson {
  id: string
  subdomain: string
  owner_email: string
  url: string
  status: string
  status_reason: string | null
  desired: string
  reachable: boolean
  outdated: boolean
  image: string
  version: string | null
  behind: boolean
  rollback: { image: string; at: string } | null
  created_at: string
  last_health_at: string | null
  suspension: string | null
  purge_at: string | null
  limits: { memory_bytes: number; cpus: number; processes: number; disk_bytes: number | null }
  disk_used_bytes: number | null
  disk_quota_bytes: number | null
  operation: OperationJson | null
  /** Only in the answer that made it. */
  password?: string
}

export interface BackupJson {
  id: string
  status: string
  created_at: string
  bytes: number | null
  stored_bytes: number | null
  reason: string
  verified_at: string | null
  image: string
  error: string | null
}

/** A copy in the list of those of all instances. */
export interface ListedBackupJson extends BackupJson {
  subdomain: string
  purged: boolean
}
