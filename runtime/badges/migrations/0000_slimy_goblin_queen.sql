CREATE TABLE `badges_public` (
	`job_id` text PRIMARY KEY NOT NULL
);
