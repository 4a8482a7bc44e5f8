ALTER TABLE `auth_sessions` ADD `email` text;
