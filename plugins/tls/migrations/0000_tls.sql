CREATE TABLE `tls_orders` (
	`name` text PRIMARY KEY NOT NULL,
	`attempts` integer NOT NULL,
	`fault` text NOT NULL,
	`tried_at` integer NOT NULL,
	`retry_at` integer NOT NULL
);
