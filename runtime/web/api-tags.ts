/** What the groups of the instance's API are about. */
export const apiTags = {
  audit: 'The audit log',
  auth: 'Signing in and out',
  badges: 'Status badges of jobs',
  description: 'This API description',
  disk: 'Disk space: how much is used, and for what',
  health: 'Whether the instance is ready',
  jobs: 'The registered jobs, their runs and their due times',
  metrics: 'Metrics for Prometheus',
  notices: 'Incidents, and the messages sent about them',
  repo: 'The jobs repo: its files, history, packages and remote',
  runs: 'Runs and their logs',
  schedule: 'Due times of a cron expression',
  sdk: 'The npm package with the types and the command',
  secrets: 'Secrets that jobs receive',
  settings: 'Who gets notices, and how',
  tokens: 'API tokens',
} as const
