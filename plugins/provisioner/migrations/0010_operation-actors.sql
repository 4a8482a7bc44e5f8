ALTER TABLE `provisioner_operations` ADD `actor_kind` text;--> statement-breakpoint
ALTER TABLE `provisioner_operations` ADD `actor_id` text;--> statement-breakpoint
ALTER TABLE `provisioner_operations` ADD `actor_name` text;