CREATE TABLE `bridge_keys` (
	`id` text PRIMARY KEY NOT NULL,
	`public_jwk` text NOT NULL,
	`sealed_private_jwk` text,
	`created_at` integer NOT NULL,
	`retired_at` integer
);
