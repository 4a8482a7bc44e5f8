ALTER TABLE `billing_subscriptions` ADD `items` text;--> statement-breakpoint
ALTER TABLE `billing_subscriptions` ADD `pause_behavior` text;--> statement-breakpoint
ALTER TABLE `billing_subscriptions` ADD `pause_ends_at` integer;