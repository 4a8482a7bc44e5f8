exports.upper = word => word.toUpperCase()
