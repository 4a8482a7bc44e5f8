CREATE TABLE `audit_entries` (
	`seq` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_id` text NOT NULL,
	`actor_name` text NOT NULL,
	`address` text,
	`action` text NOT NULL,
	`via` text NOT NULL,
	`target` text NOT NULL,
	`instance_id` text,
	`operation_id` text,
	`result` text NOT NULL,
	`status` integer,
	`detail` text NOT NULL,
	`request_id` text,
	`previous_hash` text NOT NULL,
	`hash` text NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_entries_by_age` ON `audit_entries` (`at`);--> statement-breakpoint
CREATE INDEX `audit_entries_by_instance` ON `audit_entries` (`instance_id`,`seq`);--> statement-breakpoint
CREATE INDEX `audit_entries_by_target` ON `audit_entries` (`target`,`seq`);--> statement-breakpoint
CREATE TRIGGER `audit_entries_no_update` BEFORE UPDATE ON `audit_entries` BEGIN SELECT raise(abort, 'entries of the audit log cannot be changed'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_entries_no_delete` BEFORE DELETE ON `audit_entries` BEGIN SELECT raise(abort, 'entries of the audit log cannot be deleted'); END;
--> statement-breakpoint
CREATE TRIGGER `audit_entries_no_replace` BEFORE INSERT ON `audit_entries` WHEN EXISTS (SELECT 1 FROM `audit_entries` WHERE `seq` = NEW.`seq`) BEGIN SELECT raise(abort, 'entries of the audit log cannot be replaced'); END;
